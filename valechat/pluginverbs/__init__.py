"""What can be said of plugins in words: `%valechat plugins …` and `valechat plugins …`.

Both parse the same words (`words`), run the same functions (`run`) at their own `Desk`, and draw the
blocks that come of it (`blocks`).
"""
