"""The portal in a real browser. Run by `make browser`, in a process of its own: Playwright leaves a loop running."""
