"""The examples that come with gradc; ``python -m gradc.examples`` runs them all."""
