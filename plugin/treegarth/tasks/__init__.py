"""Background work on procrastinate: the application, the worker process, the schedules."""
