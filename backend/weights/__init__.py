"""Files of weights without torch: what they hold, and what of it a network takes."""
