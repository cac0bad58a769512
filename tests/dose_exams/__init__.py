"""Exams whose true dose is known, written as devices write them: a generator of truths and of objects that tell them.

`truth.py` draws what was given; `writing.py` writes it as any mixture of objects, as readings; `facts.py` makes of them
what deciding takes.
"""
