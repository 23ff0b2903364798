"""Can the student query an index that the teacher built? Pure metrics, two protocols, one verdict per language."""
