"""What a student is trained for: distillation, translation ranking, translation; each is an objective of one loop."""
