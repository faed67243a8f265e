"""Who may do what through the API: tokens, roles, portfolios, and answers that are given once."""
