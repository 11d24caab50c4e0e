"""What leaves a study: files for statistics packages, spreadsheets and training, pseudonymous all of them."""
