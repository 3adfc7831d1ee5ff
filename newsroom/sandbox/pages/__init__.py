"""The sandbox's pages. They work without JavaScript, and each says that no money moves."""
