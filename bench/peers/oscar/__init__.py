"""A django-oscar shop as its documentation sets it up, for the order list of its dashboard."""
