"""Rules: a trigger, a condition, actions. What is on decides for every study that arrives, and can be tried before."""
