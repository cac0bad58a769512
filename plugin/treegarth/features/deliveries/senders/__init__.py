"""One sender a kind of destination: they carry objects there and say what arrived. They decide nothing about when."""
