"""The command line `sf`: each verb is a few lines over a function of the rings below."""
