def test_sort(db):
    import runpy
    runpy.run_path("/tmp/w/attack_tmp/sort.py")
