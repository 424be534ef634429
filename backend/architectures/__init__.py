"""A detector as data: layers, widths and strides, giving parameters and MACs without torch."""
