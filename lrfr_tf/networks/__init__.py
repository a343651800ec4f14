"""A trained network in use, whatever it was loaded from: embedder, super-resolver, classifier, the network of an
export. Nothing is trained or exported here, and no decision about a person is taken.
"""
