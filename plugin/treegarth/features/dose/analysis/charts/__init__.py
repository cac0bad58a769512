"""Charts that people compose and keep: what one says, how it is drawn, its pages and endpoints."""
