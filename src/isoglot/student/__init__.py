"""The student: the encoder that learns the teacher's space, its vocabulary during training, and its folder."""
