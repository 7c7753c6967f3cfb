"""Bundles and exports: BagIt ZIPs composed inside the object store (docs/decisions/0005-zip-by-part-copy.md).

In the order of the work: contents.py lists the members, names.py names them, bag.py adds the manifests, zip64.py turns
members into segments with every offset known beforehand, part_plan.py turns segments into parts, compose.py uploads and
copies the parts (and explains why a build resumes), build.py runs it for a bundle, exports.py for all Spaces of a host,
read_back.py and maintain.py verify and remove. archive/display/ renders the page inside.
"""
