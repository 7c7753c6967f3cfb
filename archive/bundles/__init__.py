"""Download bundles: a ZIP that is a BagIt bag, composed inside the object store (DESIGN §5).

contents.py says what goes in, bag.py adds the manifests, names.py makes the names, layout.py turns members into
segments with every offset known beforehand, plan.py turns segments into parts of a multipart upload, build.py does
the work.
"""
