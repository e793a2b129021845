"""What Glue scripts import as `awsglue`, as far as Boathouse has it: `utils.getResolvedOptions`."""
