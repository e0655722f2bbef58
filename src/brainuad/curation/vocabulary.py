"""How many words of reports a spaCy pipeline may gather before it is made anew, so that memory does not grow.

spaCy keeps each new word, such as a name, a number or a typing error. Its memory zones free them, but within one no
token is cached, so that a report takes a third longer, and the tables of the vocabulary grow all the same.
"""

# Entries of the vocabulary's strings, of which a word has one or more: about 15 MiB.
NEW_STRINGS = 50_000
