"""Size-specific dose estimates of CT, from the water-equivalent diameter of the axial images in the archive.

Workers measure series (`service.py`); what an estimate is follows from the diameters and the registry (`estimates.py`).
"""
