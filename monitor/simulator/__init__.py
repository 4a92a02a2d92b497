"""The demo exchange: both venues' REST APIs on loopback HTTPS. Imports nothing else of this package."""
