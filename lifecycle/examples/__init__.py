"""Three example partnerships, as the documents that people would submit: what the demo and the tests run on."""
