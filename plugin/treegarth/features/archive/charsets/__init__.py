"""What a site says of devices that name a wrong character set: documents, what each would change, and reading anew."""
