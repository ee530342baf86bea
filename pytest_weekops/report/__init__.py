"""One report format per module, each made from records and a verdict."""
