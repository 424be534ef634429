"""What the dashboard costs in a browser, beside TensorBoard and MLflow holding the same spectra."""
