"""The main job with what the image runs: `make image-test`, or `python -m tests.image`.

The Dockerfile and docker-compose.yml are parsed, not repeated here: _build.py installs as the Dockerfile does, with a
Python of the image's version, and the processes start with the image's commands and with the settings and secrets of
Compose (_compose.py). With IMAGE_ROOT=FOLDER, the root file system of a built image (`make image`), they run inside of
it instead (_container.py). The engines are those of the development environment. _steps.py does the job from outside,
without importing the site: with HTTP requests, manage.py commands and the documentation's example.
"""
