"""Intake: everything from the first byte of a recording to an available Space.

1. register.py creates the Space in `receiving`, with its deadline. request.py validates what is known about it.
2. uploads/: sessions.py opens an upload and chooses its key (archive/storage/keys.py); sign.py signs part URLs. The
   bytes go from the browser or recorder directly to the object store. complete.py turns the parts into one object.
3. publish.py is the next step, run by a worker: examine.py downloads the object (spool.py), decodes and measures it
   (audio/), and persist.py saves the rows and derived objects. The uploaded object stays: it is the recording. Then the
   Space is `available`. A recording that can't be accepted is rejected, and its objects are deleted.
4. A transcript is uploaded the same way and imported by transcripts/import_upload.py, or made by transcription/.

ingest.py does all of this for a local file in one call: it decodes the file before it stores anything. importers/ finds
recordings and facts in the folders and archives of other tools.
"""
