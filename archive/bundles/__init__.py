"""Download bundles: a ZIP that is a BagIt bag, composed inside the object store (DESIGN §5).

contents.py says what goes in, names.py what it is called, bag.py adds the manifests, layout.py turns members into
segments with every offset known beforehand, plan.py turns segments into parts of a multipart upload, build.py does
the work. page.py writes the index.html that is in it; assets.py has its styles and scripts, which modules.py joins.
"""
