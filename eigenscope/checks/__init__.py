"""What `eigenscope doctor` looks at: each check returns what is well, or raises one sentence with the mend."""
