"""The public data sets that Thanos was evaluated on: read in their schemas, cut as in the paper. Pure: no Django."""
