"""The main job with what the image runs: `make image-test`, or `python -m tests.image`.

The Dockerfile and docker-compose.yml are read, not copied: _build.py installs as the Dockerfile does, with a Python of
the image's version, and the processes start with the image's commands and the settings and secrets that Compose gives
them (_compose.py). With IMAGE_ROOT=FOLDER, the root file system of an image that was built (`make image`), they run in
there instead (_container.py). The engines are those of the development environment. _steps.py does the job from
outside: with HTTP requests, manage.py commands and the documents' example, and without importing the site.
"""
