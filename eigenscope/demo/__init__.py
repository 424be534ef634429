"""The paper in miniature: pre-train a classifier, then train one detector from it and one from scratch."""
