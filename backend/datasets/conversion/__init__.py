"""Datasets of other formats, turned into COCO files of our own when they are registered."""
