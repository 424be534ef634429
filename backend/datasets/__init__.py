"""Registered COCO-format datasets, and the generated one."""
