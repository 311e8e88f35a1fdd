# pyproject.toml can find packages or list them, but not find them and add one: Resources/, which lies beside
# the library in the tree, as the Slicer extension wants it, and inside it in a wheel, where zoo.py looks.
from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["SuperResolutionLib*"]), "SuperResolutionLib.Resources"],
    package_dir={"SuperResolutionLib.Resources": "Resources"},
)
