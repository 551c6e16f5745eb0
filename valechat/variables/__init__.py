"""A notebook's variables as models get them: described, within a budget, secrets hidden, pictures as pictures."""
