"""A rehearsal of production on this machine: `bin/rehearse`.

It installs the application with the commands of docs/operations.md and the files of docs/deploy,
each path moved into a temporary folder, and each port to a free one of the loopback address.
"""
