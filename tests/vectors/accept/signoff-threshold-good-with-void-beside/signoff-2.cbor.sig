no signature
