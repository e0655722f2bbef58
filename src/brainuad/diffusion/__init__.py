"""Noise schedules and the forward and reverse diffusion process; they know no network."""
