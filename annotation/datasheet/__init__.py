"""The human-evaluation datasheet (HEDS 2.0, Shimorina and Belz 2022): its questions, and what a study says to them."""
