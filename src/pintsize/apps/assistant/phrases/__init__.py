"""What the pieces that hear whole phrases share: the window, its features, varied copies, networks, training."""
