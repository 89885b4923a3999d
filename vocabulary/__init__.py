"""What the driver and the reports both speak of, each fact once: it imports nothing but the standard library."""
