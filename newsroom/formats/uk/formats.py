from newsroom.formats.en.formats import *  # noqa: F403 - the same in each language
