"""The command line `sf`: each verb is a few lines around a function of an inner ring."""
