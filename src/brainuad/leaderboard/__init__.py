"""The leaderboard: methods of all studies under one protocol, on the test subjects that they share."""
