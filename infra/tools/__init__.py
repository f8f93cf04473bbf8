"""The commands of the Makefile: environments, the function's zip, the generated parts of docs/.

`install` runs before anything is installed, by its path, and imports the standard library only.
"""
