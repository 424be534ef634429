"""How the generated dataset is drawn: outlines, textures, scenes; numpy and Pillow only."""
