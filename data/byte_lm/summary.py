"""Figures quoted in the README."""


def show(runs):
    print(len(runs))
