"""How good is the student: retrieval, similarity, agreement with the teacher, and the page that shows it."""
