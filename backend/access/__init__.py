"""Who may ask: named tokens, signed-in browsers, and how often a wrong token may be tried."""
